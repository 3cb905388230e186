"""Sample producers: documents of billing systems, in the JSON those hand out, told to us as facts of an ERP (EVT-01)."""
