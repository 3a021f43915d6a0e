"""What real platforms, files and hosts sent, in public reports; each case is named by its report."""
