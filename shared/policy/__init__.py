"""What is allowed and what is safe to show: permissions, limits, neutralised Markdown. Pure."""
