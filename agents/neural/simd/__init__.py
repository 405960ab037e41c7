"""Vector instructions for networks: products of matrices with what follows them."""
