"""Databases: one interface over asyncpg and aiosqlite, and statements compiled for both."""
