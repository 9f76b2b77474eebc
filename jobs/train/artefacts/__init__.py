"""What a training leaves for people and other programs: functions from data to bytes; whoever calls them writes."""
