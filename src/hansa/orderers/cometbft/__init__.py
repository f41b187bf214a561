"""The orderer between organisations that distrust each other: CometBFT decides, whatever less than a third of them do.

`orderer` is where to begin; `settings` is what a node is given, `home` what its engine is given of that, `abci` answers
what the engine asks, `protobuf` is the form of that, `rpc` asks the engine, and `standing` puts that in words.
"""
