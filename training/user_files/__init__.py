"""CSV files of a user: separator, marks in numbers and formats of dates are found from the file.

What was found is printed in one line. Where two readings are possible, the user is asked for one.

dialect         encoding, separator, and the line that names the columns
csv_columns     named columns as text, each text kept once
number_format   how a column writes numbers
date_format     how a column writes dates
column_formats  both for one column, with the option to name where it can be read in two ways
row_sieve       which rows are kept, and why others are left out
"""
