"""All tables, as the auditor reads them."""
