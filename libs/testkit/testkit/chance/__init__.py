"""Stories by chance about the money of a few customers who have little, so that everything meets everything."""
