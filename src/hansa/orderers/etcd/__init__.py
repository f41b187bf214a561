"""The orderer of one organisation's cluster: etcd decides, by its revisions.

`orderer` is where to begin; `gateway` talks to etcd, `settings` is what a node is given and how its member is started,
`marks` what a node tells the others and keeps for itself, `peers` what follows from what they tell, `retained` what is
trimmed. etcd tolerates that members crash, not that they lie: who holds a certificate of the cluster can change what
is not yet taken, and the nodes then see that their histories differ, and stop.
"""
