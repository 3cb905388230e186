"""Every SQL statement of the read model, by noun: the folds in, what closed days leave behind, the reports out."""
