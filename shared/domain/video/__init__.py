"""What a CPU can measure about a video; untrusted bytes are read in a child process only."""
