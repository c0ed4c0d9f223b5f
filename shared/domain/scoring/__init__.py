"""What a video's words, pictures and facts say about how it will do, with every part shown."""
