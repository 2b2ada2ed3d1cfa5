"""What every form needs, whatever draws it: options as plain values, what the data offers, what is wrong."""
