"""Sessions whose person has not shown the password for long."""

from tests.journeys.service import Service


def shown_long_ago(service: Service, refresh_token: str) -> None:
    """From the next refresh on, the session's access tokens say that the password was shown long ago."""
    service.addresses.client("dynamodb").update_item(
        TableName=service.addresses.outputs["SessionsTable"],
        Key={"session_id": {"S": refresh_token.partition(".")[0]}},
        UpdateExpression="SET authenticated_at = :long_ago",
        ExpressionAttributeValues={":long_ago": {"S": "2026-01-01T00:00:00.000Z"}},
    )
