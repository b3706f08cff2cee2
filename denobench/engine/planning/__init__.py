"""What a config asks for, checked: methods, trainings and cells, and what makes their keys."""
