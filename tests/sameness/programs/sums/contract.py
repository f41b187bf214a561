from hansa.contract import Contract, Int, Record, Text, action, event, view


class Sums(Contract, version="0.10.0"):
    class Sum(Record, key="id"):
        id: Int[-9223372036854775808, 9223372036854775807]
        total: Int[-9223372036854775808, 9223372036854775807]

    @action(by="member", creates="Sum")
    def add(tx, sum: Sum, id: int, numbers: list[int, 100]):
        """Adds numbers up, some of them with a sign that depends on the rest of a division."""
        total = 0
        for number in numbers:
            if number % 7 == 0 and not number // -2 > 5:
                total -= number
            else:
                total += abs(number) if number < 0 else max(number, 3)
        sum.total = total
        event("added", total=total, count=len(numbers))

    @action(by="member")
    def grow(tx, sum: Sum, times: Int[0, 300]):
        """Multiplies until a number leaves its range."""
        wide = sum.total
        for n in range(times):
            wide = wide * 18446744073709551616
        sum.total = wide % 1000003

    @action(by="member")
    def divide(tx, sum: Sum, by: int):
        """Divides."""
        sum.total = (
            sum.total
            // by
        )

    @view
    def words(tx, text: Text[0, 40], at: int) -> list[Text[0, 40], 9]:
        """Texts, compared."""
        found = [text, "I", "i", "\\", "ß"]
        if text < "ß" or text in found:
            found = found + [found[at]]
        return found
