"""Pure DataFrame → DataFrame functions by subject; reads and writes nothing, and knows no job."""
