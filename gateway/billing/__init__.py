"""The rules of money and usage. `README.md` lists the invariants and the tests of each."""
