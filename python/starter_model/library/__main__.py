"""`python -m starter_model.library [WORK]`: rebuild the committed libraries (about 3 minutes; needs em++)."""

from starter_model.recipe.build import main

main()
