"""Names, titles and sentences in many scripts, and where people live; decides nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Region:
    """Where listeners and creators live. The offset is fixed: the model knows no daylight saving time."""

    time_zone: str
    offset_minutes: int
    country: str
    language: str
    share: float


REGIONS = (
    Region(time_zone="America/New_York", offset_minutes=-300, country="US", language="en", share=0.26),
    Region(time_zone="America/Chicago", offset_minutes=-360, country="US", language="en", share=0.14),
    Region(time_zone="America/Los_Angeles", offset_minutes=-480, country="US", language="en", share=0.14),
    Region(time_zone="America/Sao_Paulo", offset_minutes=-180, country="BR", language="pt-BR", share=0.12),
    Region(time_zone="Europe/Vienna", offset_minutes=60, country="AT", language="de-AT", share=0.08),
    Region(time_zone="Europe/London", offset_minutes=0, country="GB", language="en", share=0.06),
    Region(time_zone="Africa/Cairo", offset_minutes=120, country="EG", language="ar", share=0.04),
    Region(time_zone="Asia/Kolkata", offset_minutes=330, country="IN", language="hi", share=0.08),
    Region(time_zone="Asia/Tokyo", offset_minutes=540, country="JP", language="ja", share=0.06),
    Region(time_zone="Europe/Kyiv", offset_minutes=120, country="UA", language="uk", share=0.02),
)

TOPICS = (
    "music",
    "late night",
    "sports",
    "comedy",
    "news",
    "talk",
    "hip hop",
    "jazz",
    "science",
    "books",
    "games",
    "film",
    "food",
    "true crime",
    "健康",
    "película",
)

CREATOR_NAMES = (
    "DJ Żaneta",
    "Marguerite Osei",
    "Tomás Ñáñez",
    "李小龙的猫",
    "山田あかり",
    "김하늘",
    "ليلى حداد",
    "אורי לוי",
    "Олена Ткач",
    "Ελένη Παππά",
    "प्रिया शर्मा",
    "สมชาย ใจดี",
    "Jürgen Groß",
    "Zoë O’Hara",
    "Нино Ломидзе",
    "ნინო ბერიძე",
    "Björk-Anna Þórsdóttir",
    "Chidi 🎙 Okafor",
    "João da Conceição",
    "Nguyễn Thị Ánh",
    "Ayşe Yıldız",
    "Sam 'Static' Reyes",
    'Dana "Dee" Wolff',
    "Kō 🌙",
)

TITLES = {
    "en": ("Late Calls", "The Morning Mix", "Vinyl & Voices", "Two Mics, No Plan", "Overtime", "Static Dreams"),
    "pt-BR": ("Conversa de Botequim", "Manhã Maior", "Som da Laje", "Coração Elétrico"),
    "de-AT": ("Nachtgespräche", "Kaffeehausfunk", "Über den Dächern", "Schräge Töne"),
    "ar": ("سهرة الليل", "صوت المدينة", "قهوة وموسيقى"),
    "hi": ("रात की बातें", "सुबह का संगीत", "चाय पर चर्चा"),
    "ja": ("深夜の電話", "朝の音楽", "夜話 Yobanashi", "レコードの時間"),
    "uk": ("Нічні розмови", "Голос міста", "Вечірня хвиля"),
}

DESCRIPTIONS = {
    "en": ("Late calls from everywhere.", "Records you forgot, people you should meet.", "We talk. You decide."),
    "pt-BR": ("Histórias de quem não dorme.", "Música boa e conversa fiada."),
    "de-AT": ("Anrufe aus aller Welt, bis der Kaffee kalt ist.", "Musik für müde Köpfe."),
    "ar": ("مكالمات من كل مكان.", "موسيقى حتى الصباح."),
    "hi": ("हर जगह से फ़ोन।", "गाने और कहानियाँ।"),
    "ja": ("眠れない夜に、電話とレコード。", "今夜も最高の一曲を。"),
    "uk": ("Дзвінки звідусіль.", "Музика до ранку."),
}

CHAT = {
    "en": ("this song!!", "hello from Ohio 👋", "first time here, love it", 'he said "never again" lol', "🔥🔥🔥"),
    "pt-BR": ("que música boa!", "alô de São Paulo ❤️", "não acredito 😂"),
    "de-AT": ("Grüße aus Graz!", "so schön heut", "bitte lauter 🙏"),
    "ar": ("مساء الخير من القاهرة", "أغنية رائعة ❤️"),
    "hi": ("बहुत बढ़िया!", "दिल्ली से नमस्ते 🙏"),
    "ja": ("今夜も最高！ ❤️", "はじめまして", "その曲、好きです"),
    "uk": ("Привіт із Києва!", "дуже гарно 💛💙"),
}

ACTIVITY = {
    "en": ("Back on air 🎙", "You have to hear this", "100 shows today!"),
    "pt-BR": ("No ar agora 🎙", "Escuta isso"),
    "de-AT": ("Wieder auf Sendung 🎙", "Hört euch das an"),
    "ar": ("على الهواء الآن 🎙",),
    "hi": ("अब ऑन एयर 🎙",),
    "ja": ("配信はじめました 🎙",),
    "uk": ("Знову в ефірі 🎙",),
}

POLL_LABELS = ("Yes", "Não", "はい", "لا", "Perhaps — later")
REPORT_REASONS = ("harassment", "spam", "copyright", "hate", "other")
REPORT_COMMENTS = ("Please look at this.", "Isso é spam.", "これは変です。", "нечемно")
DEVICES = {
    "ios": (("iPhone17,3", "18.1"), ("iPhone16,1", "18.0.1"), ("iPad14,3", "17.7")),
    "android": (("Pixel 9", "15"), ("SM-S928B", "14"), ("Redmi Note 13", "13")),
    "web": (("Firefox 132", "Linux"), ("Chrome 131", "Windows 11"), ("Safari 18", "macOS 15")),
}
APP_VERSIONS = ("5.2.0", "5.2.0", "5.2.0", "5.1.4", "5.1.0", "4.9.7")
