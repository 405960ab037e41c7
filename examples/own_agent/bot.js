// The bot of bot.py in another language: it undercuts its cheapest rival by one step.
//
// tacit tabulate "node examples/own_agent/bot.js" cloud_bandwidth --seat provider_0

const lines = require("node:readline").createInterface({ input: process.stdin });

lines.on("line", (line) => {
  const question = JSON.parse(line);
  const { phase, ...seen } = question.observation;
  const lowest = Math.min(...Object.values(seen));
  const prices = question.actions.map((action) => action.price);
  const below = prices.filter((price) => price < lowest);
  const price = below.length ? Math.max(...below) : Math.min(...prices);
  console.log(JSON.stringify({ id: question.id, action: { price } }));
});
