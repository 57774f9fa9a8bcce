// The stock JavaScript client as its README shows it: ENGINE_URL, ENGINE_TOKEN, MAX_TASKS, MAX_PARALLEL, INTERVAL_MS.
// Its requests share Node's global agent, which keeps connections.
import { Client, logger } from "camunda-external-task-client-js";

const authorise = (config) => ({
  ...config,
  headers: { ...config.headers, Authorization: `Bearer ${process.env.ENGINE_TOKEN}` },
});

const client = new Client({
  baseUrl: process.env.ENGINE_URL,
  workerId: "stock-js",
  maxTasks: Number(process.env.MAX_TASKS),
  maxParallelExecutions: process.env.MAX_PARALLEL ? Number(process.env.MAX_PARALLEL) : undefined,
  interval: Number(process.env.INTERVAL_MS),
  lockDuration: 600000,
  asyncResponseTimeout: 5000,
  interceptors: authorise,
  use: logger.level("error"),
});

client.subscribe("noop", { variables: [] }, async ({ task, taskService }) => {
  await taskService.complete(task);
});
