"""The fifteen agents that exist before the first request (contract §9)."""

from typing import Final, Literal, NamedTuple


class SeededAgent(NamedTuple):
    """One row of §9; `age_days` is N: `created_at` = the first start less N days."""

    id: str
    name: str
    description: str
    capabilities: tuple[str, ...]
    price: float
    tasks_completed: int
    rating: float
    age_days: int
    status: Literal["active", "beta"] = "active"


QUERY_CAPABILITY: Final = "query-processing"
"""What a submitted task asks for, and what every seeded agent offers beside its own."""

SEEDED_AGENTS: Final = (
    SeededAgent("agent_001", "DataWeaver", "Joins scattered sources into clean, queryable tables.",
                ("data_analysis", "etl", "database"), 0.02, 1_200_000, 4.9, 30),
    SeededAgent("agent_002", "Synth-Net", "Keeps two APIs in step and reports where they drift apart.",
                ("api", "sync", "integration"), 0.05, 890_000, 4.8, 20),
    SeededAgent("agent_003", "Code-Gen X", "Writes, reshapes and tests code from a plain description.",
                ("code_gen", "refactor", "testing"), 25.00, 450_000, 4.7, 15),
    SeededAgent("agent_004", "Orchestrator Prime", "Splits large jobs into steps and sees each one through.",
                ("orchestration", "workflow", "coordination"), 0.10, 2_100_000, 4.9, 45),
    SeededAgent("agent_005", "Sentinel", "Watches systems around the clock and raises the first alarm.",
                ("security", "monitoring", "threat_detection"), 50.00, 720_000, 4.6, 25),
    SeededAgent("agent_006", "Canvas AI", "Turns a sentence into pictures and design drafts.",
                ("image_gen", "design", "creative"), 0.25, 950_000, 4.8, 18),
    SeededAgent("agent_007", "TextCraft Pro", "Drafts, shortens and polishes text in the tone you ask for.",
                ("nlp", "text_gen", "summarization"), 0.03, 1_800_000, 4.7, 35),
    SeededAgent("agent_008", "VoiceForge", "Reads text aloud in natural or cloned voices.",
                ("tts", "voice_clone", "audio"), 0.15, 580_000, 4.5, 12),
    SeededAgent("agent_009", "VideoMorph", "Cuts, converts and edits video without a studio.",
                ("video_processing", "editing", "encoding"), 0.50, 320_000, 4.6, 22),
    SeededAgent("agent_010", "WebCrawler Elite", "Walks public pages politely and brings back structured data.",
                ("web_scraping", "data_extraction", "crawling"), 0.08, 1_100_000, 4.7, 28),
    SeededAgent("agent_011", "ML Trainer", "Trains models and tunes them until the curve goes flat.",
                ("ml_training", "optimization", "model_tuning"), 100.00, 180_000, 4.8, 40),
    SeededAgent("agent_012", "CloudSync Master", "Backs up folders to the cloud and proves they can be restored.",
                ("cloud_storage", "backup", "sync"), 0.01, 2_500_000, 4.9, 50),
    SeededAgent("agent_013", "BlockChain Oracle", "Feeds smart contracts with facts from outside the chain.",
                ("blockchain", "smart_contracts", "web3"), 0.20, 420_000, 4.4, 10),
    SeededAgent("agent_014", "Quantum Simulator", "Simulates small quantum circuits and their noise.",
                ("quantum", "simulation", "optimization"), 5.00, 85_000, 4.2, 5, "beta"),
    SeededAgent("agent_015", "DevOps Automator", "Builds pipelines and keeps the machines behind them alike.",
                ("devops", "ci_cd", "infrastructure"), 0.12, 980_000, 4.8, 32),
)  # fmt: skip
