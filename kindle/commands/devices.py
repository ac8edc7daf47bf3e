"""`kindle devices`: which boards and ports are there, and what answers."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kindle.devices import Answer, Devices


@click.command(short_help="List boards, ports, LSL streams, and what answers.")
@click.option("--remote", default="", metavar="HOST:PORT", help="Ask this NI device server, not this computer.")
@click.option(
    "--ask",
    "addresses",
    multiple=True,
    metavar="PORT",
    help="Open this port and ask who is there; repeatable. Opening a port may reset the board behind it.",
)
@click.option("--ask-all", is_flag=True, help="The same for every port in the list.")
@click.option("--lsl", is_flag=True, help="Ask the network for LSL streams too; it takes two seconds.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, and nothing else.")
def devices(remote: str, addresses: tuple[str, ...], ask_all: bool, lsl: bool, as_json: bool) -> None:
    """List NI boards, serial ports and, with --lsl, streams of the Lab Streaming Layer.

    Nothing is opened unless asked for, and nothing ever fires: the questions set nothing in the instrument. Do not ask
    while a session runs at that port.
    """
    import msgspec

    from kindle.devices import answers_at, devices_within_reach
    from kindle.errors import KindleError

    seen = devices_within_reach(remote, lsl=lsl)
    if not as_json:
        _tell(seen)
    wanted = dict.fromkeys((*addresses, *(port.address for port in seen.ports if ask_all)))
    answers: list[Answer] = []
    if wanted and not as_json:
        click.echo(f"opening {', '.join(wanted)}")
    for answer in answers_at(wanted):
        answers.append(answer)
        if not as_json and not answer.problem:
            click.echo(f"  {answer.address}  {answer.model or 'no stimulator that kindle knows answers there'}")
    if as_json:
        click.echo(msgspec.json.encode({**msgspec.to_builtins(seen), "answers": answers}))
    failed = [answer.problem for answer in answers if answer.problem]
    if failed:
        raise KindleError("; ".join(failed))


def _tell(seen: "Devices") -> None:
    click.echo("NI boards")
    if seen.boards_problem:
        click.echo(f"  {seen.boards_problem}")
    elif not seen.boards:
        click.echo("  none: plug one in, or look whether NI MAX shows it")
    for board in seen.boards:
        about = board.problem or f"{board.product}, serial number {board.serial_number}, {board.n_inputs} inputs"
        click.echo(f"  {board.name}  {about}{' (simulated by NI)' if board.simulated else ''}")
    click.echo("serial ports")
    if not seen.ports:
        click.echo("  none")
    for port in seen.ports:
        told = ", ".join(filter(None, (port.description, port.likely)))
        click.echo(f"  {port.address}  {told}")
    click.echo("LSL streams")
    if seen.streams is None:
        click.echo(f"  {seen.streams_problem or 'not looked for; kindle devices --lsl asks the network'}")
    elif not seen.streams:
        click.echo("  none: start the amplifier's program, and check network and firewall")
    for stream in seen.streams or ():
        rate = f"{stream.rate_hz:g} Hz" if stream.rate_hz else "no regular rate"
        channels = "1 channel" if stream.n_channels == 1 else f"{stream.n_channels} channels"
        source = f", source_id {stream.source_id}" if stream.source_id else ""
        click.echo(f"  {stream.name}  {stream.kind}, {channels}, {rate}, {stream.format}{source}, on {stream.host}")
