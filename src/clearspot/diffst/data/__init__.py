"""What training and drawing read: sections, references, gene programs, and views of them."""
