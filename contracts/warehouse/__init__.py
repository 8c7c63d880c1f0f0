"""What a warehouse must look like: schemas, roles, users, grants and row policies, declared as data.

It must not know a cluster, a statement or a service: `lambdas/configure_warehouse` makes a declaration true.
"""
