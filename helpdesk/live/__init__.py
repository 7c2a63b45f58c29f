"""What is new for open screens, whose screens are still logged in, and signs of life."""
