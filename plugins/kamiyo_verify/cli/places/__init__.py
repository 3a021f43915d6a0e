"""`kamiyo-verify places`: verify from several places at the same time."""
