"""The truth: products and images as documents."""
