"""What Kedro has no verb for: the commands of ``kedro fleet``."""
