"""Files of tables, XLSX and Parquet: made whole in a temporary file, then sent."""
