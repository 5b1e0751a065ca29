"""How is a figure taken?"""
