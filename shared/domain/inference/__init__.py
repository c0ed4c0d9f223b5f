"""What networks understand of a video: text, objects, speech, emotions, meaning."""
