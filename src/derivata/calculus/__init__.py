"""Derivatives: push the differential inwards, transpose the linear form, read the derivative off."""
