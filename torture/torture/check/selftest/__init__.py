"""The checker's own test: sound evidence gives no finding, and each of many ways to bend it gives the alarm that is meant."""
