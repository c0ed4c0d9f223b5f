"""The council: several judges asked about one video, one verdict, its cost and its reasons."""
