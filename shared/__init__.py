"""Mechanisms that every service stands on: settings, logs, store, messaging, web, security."""
