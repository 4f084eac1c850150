export const drainEvents = {}
