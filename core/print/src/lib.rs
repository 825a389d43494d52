//! Statements and tables as PDF, XLSX and CSV. Knows nothing of the record.
