"""`make replay QUEUE=…`: redelivers the failed records of a stream function from its failure queue.

A message in a failure queue names records and does not hold them: the shard, and the first and last sequence number.
They are read from the stream, sifted by the event source's filter, and given to the function as Lambda gives them. The
functions carry out a record as often as they are handed it with one outcome, so this may be repeated at any time. A
message is deleted once the function has finished all its records; one that failed comes back after some minutes.

A stream keeps records for 24 h. Of messages that are older it is said so, and with GONE=delete they are deleted: the
sweeper finishes removals and unassignments without them; entries of audit trails are lost, and the audit names them.

Ends with 1 if any message is left.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infrastructure import deployed
from infrastructure.streams import Json, fits, in_lambda_form

QUEUES = {
    "room_cleanup": "RoomCleanup",
    "user_removal": "UserRemoval",
    "activity": "Activity",
    "dispatch": "Dispatch",
    "live": "Live",
}
"""By the name of the queue, how the outputs of its function and of itself begin."""

# Longer than a function may take for one message, so that nobody else is handed it meanwhile.
_HIDDEN_SECONDS = 300
# As many as Lambda hands over at once, at most: each of these takes part of a function's time.
_AT_ONCE = 10


@dataclass(frozen=True)
class Outcome:
    """Of one message. ``state``: ``replayed``, ``failed`` or ``gone``; ``records`` that were handed over."""

    state: str
    records: int
    reason: str = ""


@dataclass(frozen=True)
class Failures:
    """A failure queue, and the name or ARN of its function.

    ``client("sqs")`` makes a boto3 client; ``functions``: one of Lambda, which ``deployed.functions`` has made.
    """

    client: deployed.ClientFactory
    functions: Any
    queue_url: str
    function: str

    def replay(self, delete_gone: bool = False) -> Iterator[Outcome]:
        """Every message that can be received now, once."""
        sqs = self.client("sqs")
        while messages := self._receive(sqs):
            for message in messages:
                outcome = self._replayed(json.loads(message["Body"])["DDBStreamBatchInfo"])
                if outcome.state == "replayed" or (outcome.state == "gone" and delete_gone):
                    sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
                yield outcome

    def _receive(self, sqs: Any) -> list[Any]:
        response = sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=1, VisibilityTimeout=_HIDDEN_SECONDS, WaitTimeSeconds=1
        )
        messages: list[Any] = response.get("Messages", [])
        return messages

    def _replayed(self, batch: Mapping[str, Any]) -> Outcome:
        try:
            patterns = self._patterns(batch["streamArn"])
            records = [record for record in self._records(batch) if any(fits(record, each) for each in patterns)]
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("TrimmedDataAccessException", "ResourceNotFoundException"):
                raise
            return Outcome("gone", 0, f"the stream keeps them no more ({batch['approximateArrivalOfFirstRecord']})")
        for start in range(0, len(records), _AT_ONCE):
            reason = self._hand_over(records[start : start + _AT_ONCE])
            if reason is not None:
                return Outcome("failed", start, reason)
        return Outcome("replayed", len(records))

    def _patterns(self, stream_arn: str) -> list[Json]:
        """What the function's event source on this stream lets through."""
        name = self.function.rpartition(":function:")[2].partition(":")[0]
        sources = self.functions.list_event_source_mappings(EventSourceArn=stream_arn)["EventSourceMappings"]
        filters = [
            each["Pattern"]
            for source in sources
            if source["FunctionArn"].split(":")[6] == name
            for each in source.get("FilterCriteria", {}).get("Filters", [])
        ]
        return [json.loads(each) for each in filters] or [{}]

    def _records(self, batch: Mapping[str, Any]) -> Iterator[Json]:
        """Those from the first to the last, in the form that functions know."""
        streams, last = self.client("dynamodbstreams"), int(batch["endSequenceNumber"])
        iterator = streams.get_shard_iterator(
            StreamArn=batch["streamArn"],
            ShardId=batch["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch["startSequenceNumber"],
        ).get("ShardIterator")
        while iterator is not None:
            response = streams.get_records(ShardIterator=iterator)
            for record in response["Records"]:
                number = int(record["dynamodb"]["SequenceNumber"])
                if number <= last:
                    yield in_lambda_form(record, batch["streamArn"])
                if number >= last:
                    return
            iterator = response.get("NextShardIterator")

    def _hand_over(self, records: list[Json]) -> str | None:
        """Why the function did not finish them; None if it did."""
        try:
            said = deployed.invoke(self.functions, self.function, {"Records": records})
        except deployed.FunctionFailed as error:
            return str(error)
        failed = [failure["itemIdentifier"] for failure in said["batchItemFailures"]]
        return f"the function could not finish record {failed[0]}" if failed else None


def main() -> int:
    parser = deployed.arguments(__doc__)
    parser.add_argument("--queue", required=True, help=", ".join(QUEUES))
    parser.add_argument(
        "--gone", default="", choices=["", "delete"], help="delete: messages whose records are gone, too"
    )
    arguments = parser.parse_args()
    if arguments.queue not in QUEUES:
        print(f"Say which queue: make replay QUEUE=… with one of {', '.join(QUEUES)}", file=sys.stderr)
        return 1
    counts: Counter[str] = Counter()
    try:
        stack = deployed.find(arguments.stack)
        name = QUEUES[arguments.queue]
        functions = deployed.functions(stack.client)
        failures = Failures(stack.client, functions, stack.outputs[f"{name}Failures"], stack.outputs[f"{name}Function"])
        for outcome in failures.replay(arguments.gone == "delete"):
            counts[outcome.state] += 1
            counts["records"] += outcome.records
            if outcome.reason:
                print(f"A message is {outcome.state}: {outcome.reason}", flush=True)
    except deployed.Failure as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"Messages: {counts['replayed']} replayed with {counts['records']} records, "
        f"{counts['failed']} failed, {counts['gone']} gone."
    )
    return 1 if counts["failed"] or (counts["gone"] and not arguments.gone) else 0


if __name__ == "__main__":
    sys.exit(main())
