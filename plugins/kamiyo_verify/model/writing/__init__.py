"""Text from outside and values of Python, written so that people can read them."""
