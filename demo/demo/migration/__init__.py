"""Migration: what was open in the books before ours, and documents with their lines, loaded from a CSV and tied out."""
