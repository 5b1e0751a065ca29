"""How good is the order of hits?"""
