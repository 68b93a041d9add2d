"""What our page reader keeps and loses of pages of many kinds, beside Readability alone."""
