"""Files of a user, read by declaration: separator, marks of numbers and formats of dates are found,
told in one line, and asked for where two readings are possible."""
