"""Scripts that run the house from outside, importing none of its roles."""
