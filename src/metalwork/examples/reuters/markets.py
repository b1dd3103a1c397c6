"""The vocabulary of markets, which does not change from one set of financial news to the next."""

from typing import Final

CURRENCIES: Final = """
    yen, mark, marks, d-mark, sterling, pound, franc, francs, lira, peso, pesos, rupiah, ringgit, baht, rupee,
    rouble, roubles, crown, crowns, krona, krone, markka, guilder*, schilling, drachma, escudo, peseta*,
    zloty, forint, kuna, shekel*, rand, riyal, cruzado*, candollar, greenback
"""
PETROLEUM: Final = """
    oil, crude, brent, wti, opec, petroleum, gasoline, gasoil, diesel, naphtha, propane, fuel, unleaded, jet
    fuel, heating oil, natural gas, refinery, refineries, refiner*, distillate*, barrel, barrels, bpd,
    pipeline*
"""
BASE_METALS: Final = "copper, aluminium, aluminum, nickel, zinc, tin, steel, metal, metals, smelter*, alloy, lme"
PRECIOUS_METALS: Final = "gold, silver, platinum, palladium, bullion, ounce, ounces, troy, comex"
GRAINS: Final = """
    wheat, corn, grain, grains, soybean*, soy, soymeal, soyoil, barley, maize, sorghum, rice, oats, oilseed*,
    rapeseed, canola, groundnut*, castorseed, sunflower*, palm oil, palm, vegoil*, vegetable oil*, flour,
    meal, feed, cbot
"""
SOFTS: Final = """
    sugar, coffee, cocoa, cotton, rubber, tea, robusta, arabica, whites, raws, orange juice, wool, jute,
    pepper, timber, lumber, plywood
"""
LIVESTOCK: Final = """
    cattle, hog, hogs, pork, beef, pigs, bellies, livestock, slaughter*, packers, meat, poultry, feeder,
    steers, sheep, lamb, milk, dairy, butter, cheese
"""
FARMING: Final = """
    crop, crops, harvest*, farm, farms, farmer*, grower*, planting*, planted, sown, sowing, plantation*,
    acre*, hectare*, frost, drought, rain, rains, weather, agriculture, agricultural
"""
QUANTITIES: Final = """
    tonne*, barrel, barrels, bpd, bushel*, ounce*, gallon*, lb, lbs, kg, kilos, quintal, bags, bales, cubic,
    mwh, cargo*
"""
