"""Page objects: what a person finds on a page and does there, one module a page.

They know roles, labels and the contract's hooks (§7), never how a page is made.
"""
