from hansa.contract import Contract, Float, Int, Party, Record, Text, action, event, require, view


class Broken(Contract, version="1.0"):
    class Thing(Record, key="nmae"):
        name: Text[1, 40]
        owner: Party
        sizes: list[Int[0, 9], 4]

    @action(by="ownr", creates="Thing")
    def make(tx, thing: Thing, name: Text[1, 40]):
        try:
            thing.ownr = tx.membr
        except:
            pass
        while True:
            pass
        size = [n for n in range(3)]
        rate = 1.5 / 2
        match name:
            case "a":
                pass
        event("made", name=name)
        print(nmae)

    @view
    def sizes(tx, thing: Thing) -> list[Int[0, 9], 4]:
        return thing.sizes if 1 < 2 < 3 else sorted(thing.sizes, key=lambda n: -n)
