"""Code that runs on the function's interpreter: Python 3.8 and later, standard library and awslambdaric only."""
