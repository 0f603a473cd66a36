import logging

logger = logging.getLogger()
logger.setLevel("INFO")


def handler(event, context):
    logger.info("greeting %s", event.get("name", "world"))
    return {"greeting": f"Hello, {event.get('name', 'world')}!", "memory": context.memory_limit_in_mb}
