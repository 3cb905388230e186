"""Documents: intake of invoices and credit memos, their status, and the calendar of business days."""
