"""Import of clients, purchases, invoices and items: files, columns, rows, runs in chunks."""
