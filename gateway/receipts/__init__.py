"""Receipts and credit notes as PDF, printed from the data frozen when they were issued."""
